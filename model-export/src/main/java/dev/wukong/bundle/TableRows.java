package dev.wukong.bundle;

import dev.wukong.data.Table;

/**
 * How many rows of a table a bundle holds.
 *
 * @param rows stored rows; ids without one take the table's default row
 */
public record TableRows(Table table, long rows) {}
