# unit_test(objstore/test_x libs...) lines
unit_test(objstore/test_sigv4 objstore)
unit_test(objstore/test_xml objstore)
unit_test(objstore/test_xml_lifecycle objstore)
unit_test(objstore/test_retry objstore)
unit_test(objstore/test_throttle objstore)
unit_test(objstore/test_climb objstore)
unit_test(objstore/test_outage objstore)
unit_test(objstore/test_file objstore)
unit_test(objstore/test_store objstore)
unit_test(objstore/test_s3 objstore)
unit_test(objstore/test_s3_fault objstore)
unit_test(objstore/test_s3_refusal objstore)
unit_test(objstore/test_s3_wire objstore)
unit_test(objstore/test_s3_flip objstore)
unit_test(objstore/test_file_faults objstore)
target_link_options(objstore_test_file_faults PRIVATE
  LINKER:--wrap=linkat,--wrap=renameat2,--wrap=openat64,--wrap=fstatat64
  LINKER:--wrap=fsync,--wrap=mkdirat,--wrap=unlinkat,--wrap=write
  LINKER:--wrap=pread64,--wrap=readdir64,--wrap=malloc,--wrap=calloc
  LINKER:--wrap=realloc,--wrap=reallocarray,--wrap=strdup)
unit_test(objstore/test_credentials objstore)
unit_test(objstore/test_s3_answer objstore)
unit_test(objstore/test_s3_nomem objstore)
target_link_options(objstore_test_s3_nomem PRIVATE
  LINKER:--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=reallocarray
  LINKER:--wrap=strdup,--wrap=strndup
  LINKER:--wrap=digest_md5,--wrap=digest_sha256)
unit_test(objstore/test_credentials_decode objstore)
unit_test(objstore/test_credentials_sources objstore)
unit_test(objstore/test_credentials_roles objstore)
unit_test(objstore/test_s3_keys objstore)
# The driver libs3: what needs its module is built where that is.
unit_test(objstore/test_libs3_answer objstore)
add_library(libs3_other MODULE EXCLUDE_FROM_ALL objstore/libs3_other.c)
target_include_directories(libs3_other PRIVATE ${CMAKE_SOURCE_DIR})
add_dependencies(objstore_test_libs3_answer libs3_other)
target_compile_definitions(objstore_test_libs3_answer PRIVATE
  LIBS3_OTHER="$<TARGET_FILE:libs3_other>")
if(libs3_module)
  foreach(t test_libs3 test_libs3_fault)
    unit_test(objstore/${t} objstore)
    target_compile_definitions(objstore_${t} PRIVATE
      LIBS3_MODULE="$<TARGET_FILE:objvault_libs3>")
    add_dependencies(objstore_${t} objvault_libs3)
  endforeach()
endif()
unit_test(objstore/test_s3server objstore s3server)
unit_test(objstore/test_s3_heals objstore s3server)
unit_test(objstore/test_s3_ends objstore s3server)
unit_test(objstore/test_s3_corrects objstore s3server)
unit_test(objstore/test_s3_storm objstore s3server)
unit_test(objstore/test_s3_mixed objstore s3server)
unit_test(objstore/test_probe_put objstore s3server)
