/** Merges requests into batches: one bounded queue and one thread for each model. */
@NullMarked
package dev.wukong.serving.batching;

import org.jspecify.annotations.NullMarked;
