/** Reverse-mode differentiation of graphs, over the same operators. */
@NullMarked
package dev.wukong.autodiff;

import org.jspecify.annotations.NullMarked;
