package dev.mimalloc.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import java.io.DataInputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Servers under load, with clients that know nothing of Netty: each byte comes back right, and in the end all memory.
 */
class ServersTest {
    private static final int CONNECTIONS = 8;

    private final MimallocByteBufAllocator allocator = new MimallocByteBufAllocator(true);
    private final LongAdder readInOurs = new LongAdder();

    enum Transport {
        NIO(NioServerSocketChannel.class), EPOLL(EpollServerSocketChannel.class);

        final Class<? extends ServerChannel> channel;

        Transport(Class<? extends ServerChannel> channel) { this.channel = channel; }

        IoHandlerFactory handler() { return this == NIO ? NioIoHandler.newFactory() : EpollIoHandler.newFactory(); }
    }

    @ParameterizedTest
    @EnumSource
    void echo(Transport transport) throws Exception {
        serve(transport, channel -> channel.pipeline().addLast(new Echo()), (port, connection) -> {
            Random random = new Random(connection);
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                DataInputStream in = new DataInputStream(socket.getInputStream());
                OutputStream out = socket.getOutputStream();
                for (int round = 0; round < 200; round++) {
                    byte[] sent = new byte[random.nextInt(30_000)];
                    random.nextBytes(sent);
                    out.write(sent);
                    byte[] received = new byte[sent.length];
                    in.readFully(received);
                    assertThat(received).isEqualTo(sent);
                }
            }
        });
    }

    @ParameterizedTest
    @EnumSource
    void http(Transport transport) throws Exception {
        serve(transport, channel -> channel.pipeline().addLast(new HttpServerCodec(),
                new HttpObjectAggregator(1 << 20), new Reverse()), (port, connection) -> {
                    Random random = new Random(connection);
                    String host = InetAddress.getLoopbackAddress().getHostAddress();
                    URI uri = URI.create("http://" + host + ":" + port + "/");
                    try (HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
                        for (int round = 0; round < 60; round++) {
                            byte[] sent = new byte[random.nextInt(round % 10 == 0 ? 300_000 : 2_000)];
                            random.nextBytes(sent);
                            HttpRequest request = HttpRequest.newBuilder(uri)
                                    .POST(HttpRequest.BodyPublishers.ofByteArray(sent)).build();
                            HttpResponse<byte[]> response = client.send(request,
                                    HttpResponse.BodyHandlers.ofByteArray());
                            assertThat(response.statusCode()).isEqualTo(200);
                            assertThat(response.body()).isEqualTo(reversed(sent));
                        }
                    }
                });
    }

    private static byte[] reversed(byte[] bytes) {
        byte[] reversed = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) reversed[i] = bytes[bytes.length - 1 - i];
        return reversed;
    }

    private interface Setup {
        void on(Channel channel);
    }

    private interface Client {
        void run(int port, int connection) throws Exception;
    }

    private void serve(Transport transport, Setup setup, Client client) throws Exception {
        if (transport == Transport.EPOLL) assumeTrue(Epoll.isAvailable(), () -> "" + Epoll.unavailabilityCause());
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(2, transport.handler());
        try {
            Channel server = new ServerBootstrap().group(group).channel(transport.channel)
                    .option(ChannelOption.ALLOCATOR, allocator).childOption(ChannelOption.ALLOCATOR, allocator)
                    .childHandler(new ChannelInitializer<SocketChannel>() {
                        @Override
                        protected void initChannel(SocketChannel channel) {
                            channel.pipeline().addLast(new Watch());
                            setup.on(channel);
                        }
                    }).bind(InetAddress.getLoopbackAddress(), 0).sync().channel();
            int port = ((InetSocketAddress) server.localAddress()).getPort();
            List<Future<?>> clients = new ArrayList<>();
            try (ExecutorService threads = Executors.newFixedThreadPool(CONNECTIONS)) {
                for (int i = 0; i < CONNECTIONS; i++) {
                    int connection = i;
                    clients.add(threads.submit(() -> {
                        client.run(port, connection);
                        return null;
                    }));
                }
                for (Future<?> running : clients) running.get(60, TimeUnit.SECONDS);
            }
        } finally {
            group.shutdownGracefully(0, 10, TimeUnit.SECONDS).sync();
        }
        assertThat(readInOurs.sum()).isGreaterThan(100_000);
        assertThat(allocator.metric().usedDirectMemory()).isZero();
        assertThat(allocator.metric().usedHeapMemory()).isZero();
    }

    /** Sees that the transport reads into buffers of the allocator. */
    private final class Watch extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ByteBuf buffer = (ByteBuf) message;
            if (buffer.alloc() == allocator && buffer.hasMemoryAddress()) readInOurs.add(buffer.readableBytes());
            context.fireChannelRead(message);
        }
    }

    private static final class Echo extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            context.write(message).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext context) { context.flush(); }
    }

    /** Answers with the request's body, back to front. */
    private static final class Reverse extends SimpleChannelInboundHandler<FullHttpRequest> {
        @Override
        protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
            ByteBuf body = request.content();
            ByteBuf reversed = context.alloc().directBuffer();
            for (int i = body.writerIndex() - 1; i >= body.readerIndex(); i--) reversed.writeByte(body.getByte(i));
            var response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK, reversed);
            response.headers().set(HttpHeaderNames.CONTENT_LENGTH, reversed.readableBytes());
            HttpUtil.setKeepAlive(response, HttpUtil.isKeepAlive(request));
            context.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
        }
    }
}
