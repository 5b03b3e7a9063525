/** What becomes an example to learn from: predictions that were shown, and how they turned out. */
@NullMarked
package dev.wukong.serving.joining;

import org.jspecify.annotations.NullMarked;
