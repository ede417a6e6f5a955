package dev.mimalloc.examples;

import dev.mimalloc.netty.MimallocByteBufAllocator;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.*;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.InetAddress;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** An echo server and its client, whose buffers are blocks of the allocator. */
final class NettyExample {
    private static final MimallocByteBufAllocator ALLOCATOR = MimallocByteBufAllocator.DEFAULT;
    private static final int MESSAGES = 10_000;

    private NettyExample() {}

    public static void main(String[] args) throws Exception {
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
        Channel server = new ServerBootstrap().group(group).channel(NioServerSocketChannel.class)
                .option(ChannelOption.ALLOCATOR, ALLOCATOR).childOption(ChannelOption.ALLOCATOR, ALLOCATOR)
                .childHandler(new Echo()).bind(InetAddress.getLoopbackAddress(), 0).sync().channel();
        CountDownLatch done = new CountDownLatch(MESSAGES * Long.BYTES);
        Channel client = new Bootstrap().group(group).channel(NioSocketChannel.class)
                .option(ChannelOption.ALLOCATOR, ALLOCATOR).handler(new SimpleChannelInboundHandler<ByteBuf>() {
                    @Override
                    protected void channelRead0(ChannelHandlerContext context, ByteBuf message) {
                        for (int i = message.readableBytes(); i > 0; i--) done.countDown();
                    }
                }).connect(server.localAddress()).sync().channel();
        for (long i = 0; i < MESSAGES; i++) {
            ByteBuf message = client.alloc().directBuffer(Long.BYTES).writeLong(i);
            client.writeAndFlush(message).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
        }
        System.out.println("sent " + MESSAGES + " messages, direct memory in use: " + used());
        done.await();
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
        System.out.println("every byte came back, direct memory in use: " + used());
    }

    private static String used() { return ALLOCATOR.metric().usedDirectMemory() + " bytes"; }

    private static final class Echo extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            context.writeAndFlush(message).addListener(ChannelFutureListener.CLOSE_ON_FAILURE); // and releases it
        }

        @Override
        public boolean isSharable() { return true; }
    }
}
