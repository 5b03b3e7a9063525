/** Loads models from verified bundles, runs them, and exchanges them without a gap. */
@NullMarked
package dev.wukong.serving.hosting;

import org.jspecify.annotations.NullMarked;
