#include "report/store_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

bool store_lock(const char *path, int *lock_out, char *error, size_t error_size)
{
	*lock_out = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*lock_out >= 0 && flock(*lock_out, LOCK_EX | LOCK_NB) == 0)
		return true;
	snprintf(error, error_size, "%s", *lock_out >= 0 ? "another run is writing it" : strerror(errno));
	return false;
}

void store_unlock(int *lock)
{
	if (*lock >= 0)
		close(*lock);
	*lock = -1;
}
