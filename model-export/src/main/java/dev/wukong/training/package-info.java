/** Training: the graph's sessions, the state they update, the loop over a data set. */
@NullMarked
package dev.wukong.training;

import org.jspecify.annotations.NullMarked;
