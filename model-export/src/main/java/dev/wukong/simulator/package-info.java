/** A click simulator whose true probabilities are known. */
@NullMarked
package dev.wukong.simulator;

import org.jspecify.annotations.NullMarked;
