/** The status page: what is measured over time, and what people on call see of it. */
@NullMarked
package dev.wukong.serving.status;

import org.jspecify.annotations.NullMarked;
