/* judge_class.h - table contact_class, filled class by class
 *
 * Flows come one after the other, each with its classes, and the table is in the order of classes: what
 * belongs to one is gathered and written at once.
 *
 * Memory: bounded; freed by class_table_free. Errors: false, store_error says why. */
#ifndef REPORT_JUDGE_CLASS_H
#define REPORT_JUDGE_CLASS_H

#include "report/judge_part.h"

struct class_table;

/* Borrows part. */
struct class_table *class_table_new(const struct judge_part *part);
void class_table_free(struct class_table **t);

/* classes: as contact_classes gives them. */
bool class_table_add(struct class_table *t, unsigned classes, int64_t flow);
/* Of a flow that was added before the last class_table_write, with the same classes. */
bool class_table_take_back(struct class_table *t, unsigned classes, int64_t flow);
/* After the last. */
bool class_table_write(struct class_table *t);

#endif
