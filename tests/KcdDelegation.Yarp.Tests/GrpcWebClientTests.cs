using System.Text;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Web;

namespace KcdDelegation.Yarp.Tests;

/// <summary>Tests the gRPC-Web client of .NET in front of a delegated cluster.</summary>
public sealed class GrpcWebClientTests
{
    [Theory]
    [InlineData("1.1", GrpcWebMode.GrpcWeb)]
    [InlineData("2.0", GrpcWebMode.GrpcWeb)]
    public async Task Messages_are_streamed_as_the_user_up_to_the_status(string version, GrpcWebMode mode)
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var backend = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        await using var gateway = await DelegatedGateway.StartAsync(realm, backend);
        using var handler = new SocketsHttpHandler();
        DelegatedGateway.TrustTestCertificates(handler);
        using var channel = GrpcChannel.ForAddress(gateway.Url, new GrpcChannelOptions
        {
            HttpHandler = new GrpcWebHandler(mode, handler),
            HttpVersion = Version.Parse(version),
            HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        });
        var bytes = Marshallers.Create(static (byte[] message) => message, static message => message);
        var method = new Method<byte[], byte[]>(MethodType.ServerStreaming, "demo.Greeter", "Count", bytes, bytes);
        foreach (var user in (string[])["ada", "bob"])
        {
            using var call = channel.CreateCallInvoker().AsyncServerStreamingCall(
                method, host: null,
                new CallOptions(new Metadata { { "X-User", user } }, cancellationToken: TestContext.Current.CancellationToken),
                "hello"u8.ToArray());
            for (var i = 1; i <= 3; i++)
            {
                // The backend sends the next message only after this one has arrived.
                (await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken)).ShouldBeTrue();
                Encoding.UTF8.GetString(call.ResponseStream.Current).ShouldBe($"hello{user}{(char)i}");
                if (i < 3)
                    backend.NextEvent.Release();
            }
            (await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken)).ShouldBeFalse();
            call.GetStatus().StatusCode.ShouldBe(StatusCode.OK);
        }
        backend.Received.ShouldAllBe(received => received.Protocol == "HTTP/1.1");
    }
}
