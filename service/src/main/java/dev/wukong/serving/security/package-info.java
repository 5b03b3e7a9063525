/** Who calls, what they may, and what is written down of it. */
@NullMarked
package dev.wukong.serving.security;

import org.jspecify.annotations.NullMarked;
