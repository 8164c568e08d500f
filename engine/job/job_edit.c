// SPDX-License-Identifier: Apache-2.0
/* Replacing the file of a job by what somebody wrote. */
#include "engine/job/job_edit.h"

#include "base/io.h"
#include "engine/job/fields.h"

int eng_job_file(const struct eng_home *h, const char *name, struct buf *text,
                 struct err *e)
{
    AUTO_MEM char *path = eng_config_find(h, &eng_kind_job, name, e);

    if (path == NULL)
        return -1;
    if (io_read_file(path, text, e) == 0)
        return 0;
    if (e->kind == ERR_NOTFOUND)
        return eng_config_not_there(h, &eng_kind_job, name, e);
    return -1;
}

int eng_job_file_replace(const struct eng_home *h, const char *name,
                         struct span was, struct span text, struct err *e)
{
    AUTO_MEM char *path = eng_config_find(h, &eng_kind_job, name, e);
    AUTO_BUF struct buf now = buf_init(ENG_CONFIG_BYTES_MAX);

    if (path == NULL || eng_job_file(h, name, &now, e) < 0)
        return -1;
    if (!span_eq(buf_span(&now), was))
        return err_set(e, ERR_BUSY, 0,
                       "%s was changed by somebody else meanwhile", path);
    return io_write_file(path, text, 0600, false, e);
}
