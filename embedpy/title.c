/* The process title, written over argv as setproctitle does. */
#include <string.h>
#include <sys/prctl.h>

#include "embedpy.h"
#include "title.h"

static char *room;
static size_t room_length;

void ph_title_room(int argc, char **argv)
{
	char *end = argv[0];

	for (int i = 0; i < argc && argv[i] == end; i++) /* the strings lie one behind the other */
		end += strlen(argv[i]) + 1;
	room = argv[0];
	room_length = (size_t)(end - argv[0]);
}

/* ph_title_trim: the master padded our argv[0] with spaces, to make room for a worker's title. */
void ph_title_trim(void)
{
	for (size_t i = room_length; i > 0 && (room[i - 1] == '\0' || room[i - 1] == ' '); i--)
		room[i - 1] = '\0';
}

void ph_title_set(const char *title, size_t length)
{
	if (room_length == 0)
		return;
	if (length > room_length - 1)
		length = room_length - 1;
	memcpy(room, title, length);
	memset(room + length, 0, room_length - length);
	prctl(PR_SET_NAME, "pyhost", 0, 0, 0);
}
