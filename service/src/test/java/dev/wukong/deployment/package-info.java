/** Tests of what brings the service to a cluster: the chart and the image. */
@NullMarked
package dev.wukong.deployment;

import org.jspecify.annotations.NullMarked;
