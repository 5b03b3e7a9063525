/** What operators ask of a running service, on a port of its own. */
@NullMarked
package dev.wukong.serving.admin;

import org.jspecify.annotations.NullMarked;
