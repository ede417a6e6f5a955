// Windows has no fork: what the tests say around one, so that they compile, and HAS_FORK to pass it by.
#pragma once
#include <direct.h>
#include <io.h>
#include <stdlib.h>
#include <sys/types.h>

#define HAS_FORK 0
#define A_FOLDER "C:\\windows\\.\\..\\windows"
#define THE_FOLDER "C:\\windows"
#define A_PLACE getenv("TEMP")
#define NO_PATH ""  // the file need not be there
#define NO_PATH_ERROR EINVAL
#define WIFEXITED(status) 0
#define WEXITSTATUS(status) (status)
#define WIFSIGNALED(status) 0
#define WTERMSIG(status) (status)
#define _SC_PAGESIZE 0

static inline pid_t fork(void) { return -1; }
static inline pid_t waitpid(pid_t process, int* status, int options) { return (void)process, (void)status, (void)options, -1; }
static inline unsigned alarm(unsigned seconds) { return seconds; }
static inline long sysconf(int name) { return (void)name, 4096; }
static inline int setenv(const char* name, const char* value, int overwrite) { return (void)overwrite, _putenv_s(name, value); }
static inline char* mkdtemp(char* name) { return _mktemp(name) != NULL && _mkdir(name) == 0 ? name : NULL; }
