package dev.wukong.serving.security;

import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.DefaultChannelPromise;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.InetSocketAddress;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * The threads of a server's connections, which close at once those that are too many: before
 * anything is read from them, and before a handshake costs anything.
 */
public final class CountedConnections implements AutoCloseable {
  private final EventLoopGroup accepting;
  private final EventLoopGroup working;

  /** Of connections that {@code count} lets be. */
  public CountedConnections(ConnectionCount count) {
    IoHandlerFactory io =
        Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
    accepting =
        new MultiThreadIoEventLoopGroup(1, new DefaultThreadFactory("grpc-accept", true), io);
    working = new Counting(io, count);
  }

  /** Has a server use them. */
  public void serve(NettyServerBuilder server) {
    server
        .channelType(
            Epoll.isAvailable() ? EpollServerSocketChannel.class : NioServerSocketChannel.class)
        .bossEventLoopGroup(accepting)
        .workerEventLoopGroup(working);
  }

  /** Lets them go; after the server. */
  @Override
  public void close() {
    Future<?> _ = accepting.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    Future<?> _ = working.shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }

  private static final class Counting extends MultiThreadIoEventLoopGroup {
    private final ConnectionCount count;

    Counting(IoHandlerFactory io, ConnectionCount count) {
      super(0, new DefaultThreadFactory("grpc-connections", true), io); // 0: as many as usual.
      this.count = count;
    }

    @Override
    public ChannelFuture register(Channel connection) {
      if (!(connection.remoteAddress() instanceof InetSocketAddress from)
          || from.getAddress() == null) {
        return super.register(connection); // Of this machine, or gone already.
      }
      if (!count.take(from.getAddress())) {
        connection.unsafe().closeForcibly();
        // Its own future can be told of nothing, as it has no thread.
        return new DefaultChannelPromise(connection, next()).setSuccess();
      }
      connection.closeFuture().addListener(_ -> count.left(from.getAddress()));
      return super.register(connection);
    }
  }
}
