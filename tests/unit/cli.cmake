# One line per test: unit_test(<folder>/<file> <libraries>)
unit_test(cli/test_options cli)
unit_test(cli/test_table cli)
target_compile_definitions(cli_test_table PRIVATE
  SOURCE_DIR="${CMAKE_SOURCE_DIR}")
unit_test(cli/test_text cli)
unit_test(cli/test_render cli)
unit_test(cli/test_dialogue cli)
unit_test(cli/test_job_words cli)
# The program itself, as users start it.
foreach(test program flow)
  unit_test(cli/test_${test} base)
  add_dependencies(cli_test_${test} objvault)
  target_compile_definitions(cli_test_${test} PRIVATE
    PROGRAM="$<TARGET_FILE:objvault>")
endforeach()
