/** How large a deployment must be, from its traffic and its model. */
@NullMarked
package dev.wukong.plan;

import org.jspecify.annotations.NullMarked;
