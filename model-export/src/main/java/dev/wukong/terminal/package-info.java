/** What commands and long work share of the terminal: progress bars, tables, Ctrl-C. */
@NullMarked
package dev.wukong.terminal;

import org.jspecify.annotations.NullMarked;
