/** A tiny model with a known answer, and ways to serve it. */
@NullMarked
package dev.wukong.serving.testing;

import org.jspecify.annotations.NullMarked;
