#include "report/secret.h"

#include "capture/base.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *secret_read(const char *path, const char *what, char *error, size_t error_size)
{
	char line[SECRET_MAX + 2] = "", *secret = NULL;
	FILE *f = fopen(path, "r");

	if (f != NULL)
		setvbuf(f, NULL, _IONBF, 0);	/* a buffer would be freed with what is in it */
	if (f == NULL || (fgets(line, sizeof(line), f) == NULL && ferror(f))) {
		snprintf(error, error_size, "%s: %s", path, strerror(errno));
	} else {
		line[strcspn(line, "\r\n")] = '\0';
		if (strlen(line) >= SECRET_MIN)
			secret = base_strdup(line);
		else
			snprintf(error, error_size, "%s: a %s of at least %d characters is wanted in its first line", path,
				 what, SECRET_MIN);
	}
	explicit_bzero(line, sizeof(line));
	if (f != NULL)
		fclose(f);
	return secret;
}

void secret_free(char **secret)
{
	if (*secret != NULL)
		explicit_bzero(*secret, strlen(*secret));
	free(*secret);
	*secret = NULL;
}
