// SPDX-License-Identifier: Apache-2.0
/* Keys that protect nothing, and what another implementation (Python's package
 * `cryptography`) wrapped for them: e0..ff, with the additional data
 * {"slot":"1"} and the nonce 10..1b. */
#ifndef TESTS_UNIT_KMS_SAMPLE_KEYS_H
#define TESTS_UNIT_KMS_SAMPLE_KEYS_H

#define RSA_PRIVATE                                                            \
    "-----BEGIN PRIVATE KEY-----\n"                                            \
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCR/LG/UHKzEKzb\n"       \
    "RYP5krXrySMoJuBnKt0mi8g5xHSHsvQumInOQtptpgqyeV0IwWauaqMJPjG3FF7N\n"       \
    "1cehi6EPlURcTO+uupfVB/Z8fY0j5uBTM5m35wAlHN8t3HfZUYU10T9NGdVNQ+Hl\n"       \
    "CLOybo3Y6FK46HkpfUW495N/KFLKQPHbuFc2KygsM6+wAGv+aG5HewtIp7cFtDSU\n"       \
    "8FEfRuvWIMYo/IK1LVN8zzkFoLcaF9BCCaHIC1xyd4Fau1822Zsebeuv+zUaFSSP\n"       \
    "oGMkcZHw1jKZIIrPKRE5BzMgRWiWtrvenJ1DffjkxTwmzq9jIIpsELPKypNWVXJa\n"       \
    "ygYE0GYlAgMBAAECggEARtzmWvtt8cWyYm2H9mlkrSNhUWgtnWaNGtzXQFNATW5s\n"       \
    "YQHiQqDo7jifEKsgodNfSGKy6RWrhDb7HecblCr2712BZVxjK+mfMeU/nIZFMJwt\n"       \
    "X7W4dDBJPbqaCuTtuCt+AfWkSIS1qV++EzL6Jy7K4/NB1EfkKGOKqJJkomCsb0gD\n"       \
    "HnM+Ff1C1Txz8uxtCW82S45glSwkNfgHYYxDLmFd+pXflUlMqcJTuPFyPr3nhNXT\n"       \
    "To8gGWDCFyOBIAP0FT+7oXvISNHPqknJSGLcj+uo3dZ548e4pltn+/9mAmM5cJP7\n"       \
    "5uJy7ZSuQb5EPsiu7fIc5ipR1MhyBPXSNCRecPbAsQKBgQDM9PU8pkM56zBJszcJ\n"       \
    "dXmjKdQI5XRehNOliS7H/3BI2jStR63UImYt+n2WZjNcNPyWHgha6MF60r0e0mg3\n"       \
    "VgrgYMOa6PEKU12AcHsbV0D1Qr1aFuWq3F8Rmtid/+nf9nFVQg79xWP0uB/gGjAa\n"       \
    "N0NGEttL27vuoNqC+2ldN7+VAwKBgQC2WBz4sHRVPTBCrla6RHbsYIkzesHV9ahI\n"       \
    "BihwOI4k1df+ZS3VViyHwY+jVFQqPDMDgzulgRBtlUD3J0xUtTmXGQXQoLfCUl/M\n"       \
    "64NcksPOdu4iCuyWYSpB3i3LOM+0oVJmv9iDMrfGxS+YhjC1HS191gMYLSnzC7+R\n"       \
    "p34fsmdLtwKBgQCIS8Xh5TcDhzF/cVyCP8r6BFDq8ZvnVzFf/dBMU8QZznIFYYtp\n"       \
    "bM7CeLeXkrNI+DuYoLQxsGMqCIaXvphrZB6rg+3QUGQq17FwPly/m9CoyQ8en+dv\n"       \
    "LklSbcTrnUmsFDjd16YcgG2uSdt4rjGa3XExYkzPL3rUf8eQHxy8TtxqfQKBgFeI\n"       \
    "wxerdZ05y4InOSEgHsroqNSauJSi4k75Dc6Zh7stIQxRvAfu31+oTvEEWYcQ8Rhd\n"       \
    "lnOkGqPQg6hiKCV9/hCIBZ+al7xkWPMBmEUHe5IQy85x2hNyv5txMiCdvDAlRW5n\n"       \
    "6GNLJKf6HxgkSxuWzzDaXQ/tFndDi4o7krNarHXPAoGAFnenzGRETIYi9ECHmdRM\n"       \
    "krdulL10tRZRPVx+3bPlgHb1wZP9uXnbDEFP3BncmWlRxXPgeCbZN+JFFmhGWccW\n"       \
    "chjZwYbbrnocnHFknrBofra6iYEyhK/URvsiziyZKo6WyykS1w4jzZPi8R0mfUa7\n"       \
    "PEfPG3R7gKIkBy+uHSmJq6Q=\n"                                               \
    "-----END PRIVATE KEY-----\n"

#define RSA_PUBLIC                                                             \
    "-----BEGIN PUBLIC KEY-----\n"                                             \
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAkfyxv1BysxCs20WD+ZK1\n"       \
    "68kjKCbgZyrdJovIOcR0h7L0LpiJzkLabaYKsnldCMFmrmqjCT4xtxRezdXHoYuh\n"       \
    "D5VEXEzvrrqX1Qf2fH2NI+bgUzOZt+cAJRzfLdx32VGFNdE/TRnVTUPh5Qizsm6N\n"       \
    "2OhSuOh5KX1FuPeTfyhSykDx27hXNisoLDOvsABr/mhuR3sLSKe3BbQ0lPBRH0br\n"       \
    "1iDGKPyCtS1TfM85BaC3GhfQQgmhyAtccneBWrtfNtmbHm3rr/s1GhUkj6BjJHGR\n"       \
    "8NYymSCKzykROQczIEVolra73pydQ3345MU8Js6vYyCKbBCzysqTVlVyWsoGBNBm\n"       \
    "JQIDAQAB\n"                                                               \
    "-----END PUBLIC KEY-----\n"

#define RSA_FINGERPRINT                                                        \
    "b22ad16f8ace67124c48889619165321d7db963e50d163a2716ea3e7bf677d42"

#define RSA_WRAPPED                                                            \
    "4b5b794508052d8936655e82acda314b972ad370436b907247ac6a2ad8bf110f"         \
    "9faba6160fe34accae090ab61b8a92e7bf48b8217d678b345655700e79e980fa"         \
    "28b6dd0f8facdddc52ec093514253f899d39920370535da30867720bd480b956"         \
    "cf75feaebf6757f99bafce4a20ae8322dec09b77e288090338b35a17f18c45ee"         \
    "f017d10fb02696c42982ab9e0e1d7948d805455dadba13e66d77fec30253602b"         \
    "dda196303c9ef799714a50178a35c8a94b647003fc668e94fdc069b46238a2e8"         \
    "f0c9122027efce372708e3f5f7a491e5963db07f61194f72c01d8f0ecbba075d"         \
    "054fe78c6545db91d62ca9ee12619afeab09379ddc48df600ac91ab012eb244f"

#define X25519_PRIVATE                                                         \
    "-----BEGIN PRIVATE KEY-----\n"                                            \
    "MC4CAQAwBQYDK2VuBCIEIPjcNb2ci09I0zIE5ui6cxryCT3kXcA2Fi0fBHPbENF4\n"       \
    "-----END PRIVATE KEY-----\n"

#define X25519_PUBLIC                                                          \
    "-----BEGIN PUBLIC KEY-----\n"                                             \
    "MCowBQYDK2VuAyEARDKOFCC+/JyWhWhzvpXVoU7C3JceHyhYz4/k/sJD21k=\n"           \
    "-----END PUBLIC KEY-----\n"

#define X25519_FINGERPRINT                                                     \
    "da9ef0466086da597669a234a7ff69d482c942bdb8fe4a42c784e202e1e192b0"

/* The same, under the passphrase "sesame". */
#define X25519_LOCKED                                                          \
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"                                  \
    "MIGjMF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBD8bNZn7VLqD5iBZ5Xd\n"       \
    "zMc+AgIIADAMBggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQjNBAHENTGdJxbR6Y\n"       \
    "z6fKgwRAKRHlPgO1bULivc0CypLpDdIBad+alds9vYU2H796t8z0AMNzGv+4pqVi\n"       \
    "IQhvIDKAvmYj013d7jrEShReW2qQGw==\n"                                       \
    "-----END ENCRYPTED PRIVATE KEY-----\n"

#define X25519_EPHEMERAL                                                       \
    "e29d7521911498b837ed692d12a81587898e0ac3f6208eac1069bca82fb6b633"

#define X25519_DATA                                                            \
    "5d51b6f3d8049e6e4c683b62cdb88934f73bf6cdd8e2f3af253613b82cc6febc"

#define X25519_TAG "c955ce2c5aa3a7e463bd0c711f9c2a86"

/* RSA with 1,024 bits: too small. */
#define RSA_SMALL_PUBLIC                                                       \
    "-----BEGIN PUBLIC KEY-----\n"                                             \
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDYinFrD70kMW20rjfun16ZoXk4\n"       \
    "xxrF2K4wSnYitFdE8cM6pDp7uTK8vyUesIUuBjJgndlfCNNT1enb+OQyVNFy4igD\n"       \
    "bC0C6PgKpg3enm9LfwcFe4I/Ws7ShZ8Gjf0fwYIqXqrt9newU0G2kXNzBTlHseJU\n"       \
    "/PN1GUM8eFHybkrevQIDAQAB\n"                                               \
    "-----END PUBLIC KEY-----\n"

/* Of an algorithm that is not taken. */
#define P256_PUBLIC                                                            \
    "-----BEGIN PUBLIC KEY-----\n"                                             \
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZgMV1YrVD+30F6YpjLB5EPVBwH66\n"       \
    "/dSnOxLBdTBpkGSFcxI4lWXG9BgubvKQJLuSk/ST7fQUEzmEQJae4hi2Dg==\n"           \
    "-----END PUBLIC KEY-----\n"

#endif
