/** A start of the service for its own sake, from which Java learns for the next. */
@NullMarked
package dev.wukong.serving.rehearsal;

import org.jspecify.annotations.NullMarked;
