#ifndef PH_TITLE_H
#define PH_TITLE_H

/* ph_title_room: remembers where argv lies.  Go's os.Args points into it: Go copies them before the first title. */
void ph_title_room(int argc, char **argv);

/* ph_title_trim: takes the padding off what ps shows; the room stays. */
void ph_title_trim(void);

#endif
