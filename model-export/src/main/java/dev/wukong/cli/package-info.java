/** The command line. */
@NullMarked
package dev.wukong.cli;

import org.jspecify.annotations.NullMarked;
