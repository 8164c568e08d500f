# Libraries that do what we do not write ourselves.  Debian 12 package names
# are in packages.txt.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(OPENSSL REQUIRED IMPORTED_TARGET libcrypto>=3.0)
pkg_check_modules(OPENSSL_TLS REQUIRED IMPORTED_TARGET libssl>=3.0)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl>=7.88)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd>=1.5)
pkg_check_modules(CJSON REQUIRED IMPORTED_TARGET libcjson>=1.7)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3>=3.40)
pkg_check_modules(EXPAT REQUIRED IMPORTED_TARGET expat>=2.5)
pkg_check_modules(NBD REQUIRED IMPORTED_TARGET libnbd>=1.14)
pkg_check_modules(LIBVIRT REQUIRED IMPORTED_TARGET libvirt>=9.0)
if(OBJVAULT_TESTS)
  pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka>=1.1.5)
endif()

# Only the module of the driver libs3 needs it (objstore/CMakeLists.txt).  It is
# written for 2.0, which is what Debian has: 4.x has other calls.
set(OBJVAULT_LIBS3 AUTO CACHE STRING
  "Build the module of the driver libs3 (GPL-3): ON, OFF, or AUTO")
find_path(LIBS3_INCLUDE_DIR libs3.h)
find_library(LIBS3_LIBRARY s3)
set(libs3_module OFF)
if(NOT OBJVAULT_LIBS3 STREQUAL "OFF" AND LIBS3_INCLUDE_DIR AND LIBS3_LIBRARY)
  file(STRINGS ${LIBS3_INCLUDE_DIR}/libs3.h libs3_is_4 REGEX "authRegion;")
  if(NOT libs3_is_4)
    set(libs3_module ON)
  endif()
endif()
if(OBJVAULT_LIBS3 STREQUAL "ON" AND NOT libs3_module)
  message(FATAL_ERROR "OBJVAULT_LIBS3: needs libs3 2.0 (package libs3-dev)")
endif()
