using KcdDelegation.Kerberos;
using KcdDelegation.Testing;

namespace KcdDelegation.InteropTests.Scenarios;

/// <summary>Constrained delegation from a ticket that the user presented, without protocol transition. On real realms the user logs on
/// with MIT's own programs.</summary>
public sealed class DoubleHopTests
{
    public static TheoryData<string> Realms => ["TestRealm", "mit", "samba", "samba22"];

    [Theory]
    [MemberData(nameof(Realms))]
    public async Task The_users_own_ticket_is_passed_on_to_a_target_on_the_list(string realm)
    {
        await using var hop = await Hop.StartAsync(realm, DelegatingAccount.Connector);
        var user = await hop.Client.AcceptAsync(await hop.TokenAsync(forwardable: true), Cancellation);

        user.CanBeDelegated.ShouldBeTrue();
        user.Principal.Name.ShouldBe("alice");
        (await hop.Client.GetTicketAsync(user, hop.Target, Cancellation)).User.Name.ShouldBe("alice");
    }

    [Theory]
    [MemberData(nameof(Realms))]
    public async Task An_account_without_protocol_transition_may_pass_on_what_the_user_presented(string realm)
    {
        await using var hop = await Hop.StartAsync(realm, DelegatingAccount.WithoutProtocolTransition);
        var user = await hop.Client.AcceptAsync(await hop.TokenAsync(forwardable: true), Cancellation);

        (await hop.Client.GetTicketAsync(user, hop.Target, Cancellation)).User.Name.ShouldBe("alice");
    }

    [Theory]
    [MemberData(nameof(Realms))]
    public async Task A_ticket_that_is_not_forwardable_is_accepted_but_not_passed_on(string realm)
    {
        await using var hop = await Hop.StartAsync(realm, DelegatingAccount.Connector);
        var user = await hop.Client.AcceptAsync(await hop.TokenAsync(forwardable: false), Cancellation);

        user.CanBeDelegated.ShouldBeFalse();
        var error = await Should.ThrowAsync<KerberosException>(async () => await hop.Client.GetTicketAsync(user, hop.Target, Cancellation));
        error.Reason.ShouldBe(KerberosFailureReason.EvidenceNotForwardable);
    }

    [Theory]
    [MemberData(nameof(Realms))]
    public async Task A_token_that_is_presented_twice_is_a_replay(string realm)
    {
        await using var hop = await Hop.StartAsync(realm, DelegatingAccount.Connector);
        var token = await hop.TokenAsync(forwardable: true);
        await hop.Client.AcceptAsync(token, Cancellation);

        var error = await Should.ThrowAsync<KerberosException>(async () => await hop.Client.AcceptAsync(token, Cancellation));
        error.Code.ShouldBe(KerberosErrorCode.Repeat);
        error.Exchange.ShouldBe(KerberosExchange.Accept);
    }

    [Theory]
    [MemberData(nameof(Realms))]
    public async Task A_token_with_any_bit_changed_is_refused(string realm)
    {
        await using var hop = await Hop.StartAsync(realm, DelegatingAccount.Connector);
        var token = await hop.TokenAsync(forwardable: true);
        var accepted = 0;
        for (var position = 0; position < token.Length; position += 7)
        {
            var changed = (byte[])token.Clone();
            changed[position] ^= 0x10;
            try
            {
                await hop.Client.AcceptAsync(changed, Cancellation);
                accepted++;
            }
            catch (KerberosException error)
            {
                error.Exchange.ShouldBe(KerberosExchange.Accept);
            }
        }
        // The service's name stands unprotected in the ticket, and an account with one key serves all its names.
        accepted.ShouldBeLessThan(token.Length / 7 / 4);
    }

    [Theory]
    [MemberData(nameof(Realms))]
    public async Task A_ticket_by_protocol_transition_never_answers_for_a_presented_one(string realm)
    {
        await using var hop = await Hop.StartAsync(realm, DelegatingAccount.Connector);
        var user = await hop.Client.AcceptAsync(await hop.TokenAsync(forwardable: true), Cancellation);

        var presented = await hop.Client.GetTicketAsync(user, hop.Target, Cancellation);
        var transitioned =
            await hop.Client.GetTicketAsync(KerberosPrincipal.Principal("alice", user.Principal.Realm!), hop.Target, Cancellation);
        transitioned.ShouldNotBeSameAs(presented);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private sealed class Hop(
        ServiceAccount account, S4UClient client, ServicePrincipalName target, Func<bool, Task<byte[]>> token, IAsyncDisposable? realm)
        : IAsyncDisposable
    {
        public S4UClient Client => client;

        public ServicePrincipalName Target => target;

        public Task<byte[]> TokenAsync(bool forwardable) => token(forwardable);

        public static async Task<Hop> StartAsync(string name, DelegatingAccount role)
        {
            if (name == "TestRealm")
            {
                var test = TestRealm.Start().User("alice").Account("gw", ["HTTP/web"], anyProtocol: role == DelegatingAccount.Connector)
                    .Service("HTTP/web");
                var own = test.CreateServiceAccount("gw");
                return new Hop(own, test.CreateClient("gw"), ServicePrincipalName.Parse("HTTP/web"), forwardable =>
                    Task.FromResult(Token(test, forwardable)), test);
            }
            var lab = LabRealm.Get(name);
            var realm = new LabScenarioRealm(lab, name);
            realm.Require();
            var account = realm.CreateAccount(role)!;
            var options = new S4UClientOptions { Realm = lab.Realm, Account = account };
            options.Kdcs[lab.Realm] = [lab.Kdc];
            var service = role == DelegatingAccount.Connector ? lab.Spn("connector") : lab.Spn("connector-notrans");
            await Task.CompletedTask;
            return new Hop(account, new S4UClient(options), ServicePrincipalName.Parse(lab.Spn("web")), forwardable =>
                LabUser.TokenAsync(lab, "alice", service, forwardable, Cancellation), realm);
        }

        private static byte[] Token(TestRealm realm, bool forwardable)
        {
            var request = realm.IssueTicket("alice", "HTTP/gw", forwardable ? TicketFlags.Forwardable : TicketFlags.None).CreateApRequest();
            var token = new byte[request.Prefix.Length + request.TailLength];
            request.Prefix.CopyTo(token);
            request.WriteTail(token.AsSpan(request.Prefix.Length));
            return token;
        }

        public async ValueTask DisposeAsync()
        {
            await client.DisposeAsync();
            account.Dispose();
            if (realm is not null)
                await realm.DisposeAsync();
        }
    }
}
