/** Learns from what became of predictions, in the process that made them. */
@NullMarked
package dev.wukong.serving.retraining;

import org.jspecify.annotations.NullMarked;
