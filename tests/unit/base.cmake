# unit_test(base/test_x libs...) lines

unit_test(base/test_err base)
unit_test(base/test_buf base)
target_link_options(base_test_buf PRIVATE -Wl,--wrap=realloc)
unit_test(base/test_civil base)
unit_test(base/test_cond base)
unit_test(base/test_utc base)
unit_test(base/test_units base)
unit_test(base/test_json base)
target_link_options(base_test_json PRIVATE
  -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc)
unit_test(base/test_json_text base)
unit_test(base/test_jsonw base)
unit_test(base/test_log base)
unit_test(base/test_nearest base)
unit_test(base/test_process base)
unit_test(base/test_progress base)
target_link_options(base_test_progress PRIVATE -Wl,--wrap=calloc)
unit_test(base/test_secretref base)
unit_test(base/test_io base)
unit_test(base/test_io_replace base)
foreach(name base_test_io base_test_io_replace)
  target_link_options(${name} PRIVATE
    -Wl,--wrap=pread64,--wrap=pwrite64,--wrap=read,--wrap=write
    -Wl,--wrap=fsync,--wrap=close,--wrap=link,--wrap=renameat2
    -Wl,--wrap=vasprintf,--wrap=__vasprintf_chk,--wrap=strdup,--wrap=strndup
    -Wl,--wrap=poll,--wrap=digest_random)
endforeach()
unit_test(base/test_digest base)
target_link_options(base_test_digest PRIVATE
  -Wl,--wrap=EVP_Digest,--wrap=EVP_MAC_final,--wrap=EVP_MAC_CTX_dup
  -Wl,--wrap=EVP_MAC_fetch,--wrap=EVP_MAC_CTX_set_params
  -Wl,--wrap=RAND_priv_bytes)
unit_test(base/test_cpu base)
unit_test(base/test_gmac base)
unit_test(base/test_aead base)
target_link_options(base_test_aead PRIVATE
  -Wl,--wrap=EVP_CipherUpdate,--wrap=EVP_CIPHER_CTX_new
  -Wl,--wrap=EVP_CipherFinal_ex,--wrap=EVP_CIPHER_fetch)
unit_test(base/test_cancel base)
target_link_options(base_test_cancel PRIVATE
  -Wl,--wrap=eventfd,--wrap=poll)
unit_test(base/test_workers base)
target_link_options(base_test_workers PRIVATE
  -Wl,--wrap=pthread_create,--wrap=calloc)
unit_test(base/test_signals base)
target_link_options(base_test_signals PRIVATE -Wl,--wrap=pthread_create)
unit_test(base/test_secret base)
target_link_options(base_test_secret PRIVATE
  -Wl,--wrap=mmap64,--wrap=munmap,--wrap=mlock,--wrap=log_write)
unit_test(base/test_zst base)
target_link_options(base_test_zst PRIVATE
  -Wl,--wrap=ZSTD_createCCtx,--wrap=ZSTD_createDCtx,--wrap=calloc
  -Wl,--wrap=ZSTD_CCtx_setParameter,--wrap=ZSTD_compressStream2
  -Wl,--wrap=ZSTD_decompressDCtx)
if(OBJVAULT_COVERAGE)
  # Their child processes write their counters themselves.
  foreach(name base_test_signals base_test_aead)
    target_compile_definitions(${name} PRIVATE OBJVAULT_COVERAGE)
  endforeach()
endif()
