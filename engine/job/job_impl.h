// SPDX-License-Identifier: Apache-2.0
/* Private to engine/job/. */
#ifndef ENGINE_JOB_JOB_IMPL_H
#define ENGINE_JOB_JOB_IMPL_H

#define ENG_JOB_KMS "kms:" /* before the name of a key server, in `encrypt` */

#endif
