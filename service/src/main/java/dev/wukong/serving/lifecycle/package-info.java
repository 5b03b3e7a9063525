/** Which ids have a row of their own: who gets one, and who loses it again. */
@NullMarked
package dev.wukong.serving.lifecycle;

import org.jspecify.annotations.NullMarked;
