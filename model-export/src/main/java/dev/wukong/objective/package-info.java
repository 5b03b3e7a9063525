/** What a model is trained for: loss and the training graph. */
@NullMarked
package dev.wukong.objective;

import org.jspecify.annotations.NullMarked;
