/** What a request looked like from outside: its stages, for meters, traces and the access log. */
@NullMarked
package dev.wukong.serving.sight;

import org.jspecify.annotations.NullMarked;
