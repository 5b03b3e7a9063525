/**
 * Runs predict graphs: on the processors where inputs lie, on GPUs with buffers of the device's own
 * for the common shapes of batches.
 */
@NullMarked
package dev.wukong.serving.engine;

import org.jspecify.annotations.NullMarked;
