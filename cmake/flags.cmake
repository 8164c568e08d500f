# Language, warnings and hardening: everything links project_flags.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

add_library(project_flags INTERFACE)
target_include_directories(project_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(project_flags INTERFACE
  _GNU_SOURCE _FILE_OFFSET_BITS=64
  OBJVAULT_VERSION="${PROJECT_VERSION}")
target_compile_options(project_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wvla -Wformat=2
  -Wmissing-prototypes -Wstrict-prototypes -Wcast-qual -Wwrite-strings
  -Wswitch-enum -fno-common)
if(OBJVAULT_WERROR)
  target_compile_options(project_flags INTERFACE -Werror)
endif()

if(OBJVAULT_SANITIZE)
  list(JOIN OBJVAULT_SANITIZE "," sanitizers)
  target_compile_options(project_flags INTERFACE
    -fsanitize=${sanitizers} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(project_flags INTERFACE -fsanitize=${sanitizers})
else()
  target_compile_options(project_flags INTERFACE -fstack-protector-strong)
  target_link_options(project_flags INTERFACE
    -pie -Wl,-z,relro -Wl,-z,now -Wl,--as-needed)
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(project_flags INTERFACE -D_FORTIFY_SOURCE=3)
  endif()
endif()
if(OBJVAULT_COVERAGE)
  target_compile_options(project_flags INTERFACE --coverage)
  target_link_options(project_flags INTERFACE --coverage)
endif()
if(OBJVAULT_FUZZ)
  target_compile_options(project_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# One static library per folder: objvault_library(NAME SOURCES... LINK libs...)
function(objvault_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC project_flags ${arg_LINK})
endfunction()
