unit_test(manifest/test_block manifest)
unit_test(manifest/test_canon manifest)
unit_test(manifest/test_descriptor manifest)
unit_test(manifest/test_entry manifest)
unit_test(manifest/test_faults manifest)
target_link_options(manifest_test_faults PRIVATE
  -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc -Wl,--wrap=strdup
  -Wl,--wrap=digest_sha256)
unit_test(manifest/test_golden manifest)
target_compile_definitions(manifest_test_golden PRIVATE
  GOLDEN_DIR="${CMAKE_SOURCE_DIR}/tests/golden/v1")
unit_test(manifest/test_golden_sealed manifest)
target_compile_definitions(manifest_test_golden_sealed PRIVATE
  GOLDEN_DIR="${CMAKE_SOURCE_DIR}/tests/golden/v1")
unit_test(manifest/test_id manifest)
unit_test(manifest/test_keys manifest)
unit_test(manifest/test_name manifest)
unit_test(manifest/test_objkey manifest)
unit_test(manifest/test_page manifest)
unit_test(manifest/test_point manifest)
unit_test(manifest/test_point_decode manifest)
unit_test(manifest/test_point_seal manifest)
unit_test(manifest/test_seal_cost manifest)
unit_test(manifest/test_slot manifest)

# The independent reader and its own test.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME reader_read_point
  COMMAND ${Python3_EXECUTABLE} -B
    ${CMAKE_SOURCE_DIR}/tests/reader/test_read_point.py)
add_test(NAME reader_read_sealed
  COMMAND ${Python3_EXECUTABLE} -B
    ${CMAKE_SOURCE_DIR}/tests/reader/test_read_sealed.py)
set_tests_properties(reader_read_point reader_read_sealed PROPERTIES
  TIMEOUT 120 SKIP_RETURN_CODE 77 LABELS reader)
