/* recipe_set.h - variables of a recipe
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef IMGTOOL_RECIPE_SET_H
#define IMGTOOL_RECIPE_SET_H

#include "base/attr.h"

struct cli_list;
struct err;
struct yml;

/*
 * Put the values of variables in the place of ${NAME} in every scalar of the
 * document but those below its key "variables", which names them all with what
 * they are when `sets` (NAME=VALUE) says nothing; "~" means that it must.
 * "$${" stands for "${".
 */
MUST_CHECK int recipe_set(struct yml *doc, const struct cli_list *sets,
			  struct err *e);

#endif /* IMGTOOL_RECIPE_SET_H */
