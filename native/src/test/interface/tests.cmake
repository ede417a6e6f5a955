# The interface's tests, for ctest. They are linked with a library that leaves malloc alone, so that sanitizers and the C
# library keep theirs; what replaces malloc is tested with the shared library.

set(mi_warnings -Wall -Wextra -Wpedantic -Werror -Wno-unknown-warning-option)

add_library(mi-test-library STATIC "${mi_source}")
set(mi_override_was ${MI_OVERRIDE})
set(MI_OVERRIDE OFF)
mi_compile(mi-test-library)
set(MI_OVERRIDE ${mi_override_was})
target_link_libraries(mi-test-library PUBLIC Threads::Threads)
target_link_options(mi-test-library PUBLIC ${mi_sanitizer})

function(mi_program name)
  add_executable(${name} ${ARGN})
  target_compile_options(${name} PRIVATE ${mi_warnings} ${mi_sanitizer} -g -O1)
  target_link_libraries(${name} PRIVATE mi-test-library)
endfunction()

function(mi_test name)
  add_test(NAME ${name} COMMAND ${ARGN})
  set_tests_properties(${name} PROPERTIES TIMEOUT 300
    ENVIRONMENT "TSAN_OPTIONS=suppressions=${CMAKE_CURRENT_FUNCTION_LIST_DIR}/tsan.supp history_size=7")
endfunction()

# --- C ------------------------------------------------------------------------------------------------------------------

file(GLOB c_sources "${mi_tests}/c/*.c")
mi_program(interface-c ${c_sources})
set_target_properties(interface-c PROPERTIES C_STANDARD 11 C_EXTENSIONS OFF)
if(mi_sanitizer)
  # One after the other: sanitizers are slow, and each topic's own findings are easier to read.
  set(topics layout allocate aligned names heaps theaps visit messages options statistics arenas subprocesses threads forks)
  if(MI_DEBUG_TSAN OR MI_DEBUG_ASAN)
    # TSan cannot follow a child of a process with threads; ASan's own allocator may be locked in it for ever.
    list(REMOVE_ITEM topics forks)
  endif()
  foreach(topic IN LISTS topics)
    mi_test(c-${topic} interface-c ${topic})
  endforeach()
else()
  mi_test(c interface-c)
endif()

# --- C++ ----------------------------------------------------------------------------------------------------------------

file(GLOB cpp_sources "${mi_tests}/cpp/*.cpp")
set(standards 11 14 17 20 23)
if(mi_sanitizer)
  set(standards 17)
endif()
foreach(standard IN LISTS standards)
  if("cxx_std_${standard}" IN_LIST CMAKE_CXX_COMPILE_FEATURES)
    mi_program(interface-cpp${standard} ${cpp_sources})
    set_target_properties(interface-cpp${standard} PROPERTIES CXX_STANDARD ${standard} CXX_EXTENSIONS OFF)
    mi_test(cpp${standard} interface-cpp${standard})
  endif()
endforeach()

# --- Programs -----------------------------------------------------------------------------------------------------------

find_program(VALGRIND valgrind)
if(NOT mi_sanitizer)
  mi_program(small "${mi_tests}/programs/small.c")
  mi_test(small small)
  if(VALGRIND)
    mi_test(valgrind ${VALGRIND} --error-exitcode=9 --quiet $<TARGET_FILE:small>)
  endif()
  mi_program(destroy "${mi_tests}/programs/destroy.c")
  mi_test(destroy destroy)
  if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
    mi_program(sandbox "${mi_tests}/programs/sandbox.c")
    mi_test(sandbox sandbox)
  endif()
  # A plugin that has the library inside comes and goes.
  set_target_properties(mi-test-library PROPERTIES POSITION_INDEPENDENT_CODE ON)
  add_library(guest MODULE "${mi_tests}/programs/guest.c")
  target_compile_options(guest PRIVATE ${mi_warnings} -fvisibility=hidden)
  target_link_libraries(guest PRIVATE mi-test-library)
  add_executable(host "${mi_tests}/programs/host.c")
  target_compile_options(host PRIVATE ${mi_warnings} -O1 -g)
  target_link_libraries(host PRIVATE Threads::Threads ${CMAKE_DL_LIBS})
  mi_test(unload host $<TARGET_FILE:guest>)
  mi_test(unload-at-exit host $<TARGET_FILE:guest> exit)
  if(TARGET mimalloc)
    # A library that is linked with mimalloc comes and goes in a program that is not.
    add_library(plugin MODULE "${mi_tests}/programs/plugin.cpp")
    target_compile_options(plugin PRIVATE ${mi_warnings})
    target_link_libraries(plugin PRIVATE mimalloc)
    add_executable(loader "${mi_tests}/programs/loader.c")
    target_compile_options(loader PRIVATE ${mi_warnings})
    target_link_libraries(loader PRIVATE Threads::Threads ${CMAKE_DL_LIBS})
    mi_test(dlopen loader $<TARGET_FILE:plugin>)
    if(MI_OVERRIDE)
      # C++ comes later, and only for a library that a program in C loads.
      add_library(latecomer MODULE "${mi_tests}/programs/latecomer.cpp")
      target_compile_options(latecomer PRIVATE ${mi_warnings} -fno-builtin)
      add_executable(late "${mi_tests}/programs/late.c")
      target_compile_options(late PRIVATE ${mi_warnings})
      target_link_libraries(late PRIVATE mimalloc ${CMAKE_DL_LIBS})
      set_target_properties(late PROPERTIES LINK_FLAGS "-Wl,--no-as-needed")
      mi_test(late late $<TARGET_FILE:latecomer>)
    endif()
    mi_test(symbols ${CMAKE_CURRENT_LIST_DIR}/symbols.sh $<TARGET_FILE:mimalloc> "${mi_tests}/functions.h" ${MI_OVERRIDE})
    mi_test(packaging ${CMAKE_CURRENT_LIST_DIR}/packaging.sh "${CMAKE_CURRENT_BINARY_DIR}" "${mi_tests}/programs")
  endif()
endif()
