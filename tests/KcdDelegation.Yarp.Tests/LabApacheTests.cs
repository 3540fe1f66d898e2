using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using KcdDelegation.InteropTests;
using Yarp.ReverseProxy.Configuration;

namespace KcdDelegation.Yarp.Tests;

/// <summary>Tests plain YARP in front of the lab's Apache with https.</summary>
public sealed class LabApacheTests
{
    [Theory]
    [InlineData("mit")]
    [InlineData("samba")]
    public async Task Apache_sees_the_user_of_each_request(string part)
    {
        Lab.Require(part, "web");
        var realm = LabRealm.Get(part);
        var backend = new UriBuilder(realm.WebTls("spnego/")) { Host = $"web.{realm.Domain}" }.Uri;
        var options = new KcdOptions
        {
            Realm = realm.Realm,
            Kdcs = { realm.Kdc.ToString() },
            ServiceAccount = { Name = realm.Connector, Keytab = realm.Keytab("connector") },
            Applications =
            {
                ["erp"] = new DelegatedApplication
                {
                    InternalUrl = backend,
                    ServicePrincipalName = realm.Spn("web"),
                    LoginIdentity = LoginIdentity.OnPremisesSamAccountName,
                    TokenFormat = TokenFormat.Spnego,
                },
            },
        };
        var cluster = new ClusterConfig
        {
            ClusterId = "erp",
            Destinations = new Dictionary<string, DestinationConfig>(StringComparer.Ordinal)
            {
                ["web"] = new() { Address = backend.GetLeftPart(UriPartial.Authority) },
            },
        };
        var route = new RouteConfig { RouteId = "erp", ClusterId = "erp", Match = new RouteMatch { Path = "{**all}" } };
        await using var gateway = await PlainGateway.StartAsync(options, cluster, route, CreateHandler);
        for (var round = 0; round < 3; round++)
        {
            foreach (var user in (string[])["alice", "bob"])
            {
                using var response = await gateway.GetAsync(user, "/spnego/");
                gateway.Errors.ShouldBeEmpty();
                response.StatusCode.ShouldBe(HttpStatusCode.OK);
                (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldContain(user, Case.Insensitive);
            }
        }
    }

    /// <summary>Makes a handler trust the lab's certificate and connect to loopback.</summary>
    internal static void Configure(SocketsHttpHandler handler)
    {
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.Add(X509CertificateLoader.LoadCertificateFromFile(LabWeb.CertificatePath));
        handler.SslOptions.CertificateChainPolicy = trust;
        handler.ConnectCallback = static async (context, cancellationToken) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        };
    }

    private static SocketsHttpHandler CreateHandler()
    {
        var handler = new SocketsHttpHandler();
        Configure(handler);
        return handler;
    }
}
