using KcdDelegation.Kerberos.Transport;

namespace KcdDelegation.Kerberos.Tests.Transport;

public sealed class PasswordServersTests
{
    private static readonly KdcEndpoint Kdc = new("dc1.contoso.com", 1088, KdcTransport.Udp);
    private static readonly KdcEndpoint Named = new("pw.contoso.com", 4464);

    [Fact]
    public async Task Configured_servers_precede_everything()
    {
        (await FindAsync([Named], known: [Kdc], passwordServers: [Kdc], kdcs: [Kdc], listed: [Kdc])).ShouldBe([Named]);
    }

    [Fact]
    public async Task Without_them_those_of_krb5_conf_precede_the_KDCs()
    {
        (await FindAsync([], known: [Kdc], passwordServers: [Kdc], kdcs: [Kdc], listed: [Named])).ShouldBe([Named]);
    }

    [Fact]
    public async Task Without_them_the_known_KDCs_are_asked_on_the_port_of_the_protocol()
    {
        (await FindAsync([], known: [Kdc, Kdc with { Port = 88 }], passwordServers: [Named], kdcs: []))
            .ShouldBe([new KdcEndpoint("dc1.contoso.com", 464)]);
    }

    [Fact]
    public async Task Without_known_KDCs_the_records_of_the_protocol_in_DNS_are_used_and_then_those_of_KDCs()
    {
        (await FindAsync([], known: [], passwordServers: [Named], kdcs: [Kdc])).ShouldBe([Named]);
        (await FindAsync([], known: [], passwordServers: [], kdcs: [Kdc])).ShouldBe([new KdcEndpoint("dc1.contoso.com", 464)]);
    }

    [Fact]
    public async Task No_server_is_an_error_that_names_the_records()
    {
        var error = await Should.ThrowAsync<KerberosException>(() => FindAsync([], known: [], passwordServers: [], kdcs: []));
        error.Reason.ShouldBe(KerberosFailureReason.KdcNotFound);
        error.Detail.ShouldContain("_kpasswd._tcp.CONTOSO.COM");
    }

    [Theory]
    [InlineData("dc1.contoso.com", 464)]
    [InlineData("dc1.contoso.com:88", 88)]
    [InlineData("[2001:db8::1]", 464)]
    [InlineData("2001:db8::88", 464)]
    [InlineData("udp/dc1.contoso.com", 464)]
    public void An_endpoint_without_a_port_has_the_default_port_of_its_protocol(string text, int port)
    {
        KdcEndpoint.TryParse(text, 464, out var endpoint).ShouldBeTrue();
        endpoint.Port.ShouldBe(port);
    }

    private static Task<IReadOnlyList<KdcEndpoint>> FindAsync(
        IReadOnlyList<KdcEndpoint> configured, IReadOnlyList<KdcEndpoint> known, IReadOnlyList<KdcEndpoint> passwordServers,
        IReadOnlyList<KdcEndpoint> kdcs, IReadOnlyList<KdcEndpoint>? listed = null) =>
        new PasswordServers(configured, new Fixed(listed ?? []), new Fixed(known), new Fixed(passwordServers), new Fixed(kdcs))
            .FindAsync("CONTOSO.COM", TestContext.Current.CancellationToken);

    private sealed class Fixed(IReadOnlyList<KdcEndpoint> endpoints) : IKdcLocator
    {
        public ValueTask<IReadOnlyList<KdcEndpoint>> FindAsync(string realm, CancellationToken cancellationToken) => new(endpoints);
    }
}
