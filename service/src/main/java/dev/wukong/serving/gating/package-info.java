/**
 * Whether what was learned may serve: figures of three models on the same examples, and verdicts.
 */
@NullMarked
package dev.wukong.serving.gating;

import org.jspecify.annotations.NullMarked;
