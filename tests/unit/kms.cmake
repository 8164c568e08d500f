# unit_test(kms/test_x libs...) lines
unit_test(kms/test_kmip kms)
unit_test(kms/test_kmip_captured kms)
unit_test(kms/test_kmip_foreign kms)
unit_test(kms/test_kmip_hostile kms)
unit_test(kms/test_kmip_request kms)
unit_test(kms/test_ttlv kms)
unit_test(kms/test_wrap kms)
unit_test(kms/test_wrap_public kms)
unit_test(kms/test_wiped kms)
target_link_options(kms_test_wiped PRIVATE
  -Wl,--wrap=free -Wl,--wrap=realloc -Wl,--wrap=munmap)
# The client, on servers with certificates of the run.
foreach(t test_kms_fault test_kms_keys test_kms_replicas test_kms_tls
        test_kms_real)
  unit_test(kms/${t} kms kmsserver)
  target_compile_definitions(kms_${t} PRIVATE
    KMS_TEST_DIR="${CMAKE_SOURCE_DIR}/kms-test")
endforeach()
# PyKMIP takes seconds to start.
set_tests_properties(kms_test_kms_real PROPERTIES TIMEOUT 300)
