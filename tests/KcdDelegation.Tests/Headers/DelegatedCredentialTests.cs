using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;
using KcdDelegation.Headers;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Tests.Headers;

public sealed class DelegatedCredentialTests
{
    private readonly AuthorizationTemplateCache _templates = new();

    [Theory]
    [InlineData(TokenFormat.Kerberos, NegotiateTokenKind.Kerberos)]
    [InlineData(TokenFormat.Spnego, NegotiateTokenKind.SpnegoKerberos)]
    [InlineData(TokenFormat.Auto, NegotiateTokenKind.Kerberos)]
    public void A_service_opens_every_value_of_a_credential(TokenFormat format, NegotiateTokenKind kind)
    {
        var credential = new DelegatedCredential(FakeTickets.For("ada"), _templates, MutualAuthentication.Off);
        for (var round = 0; round < 5; round++)
        {
            var opened = OpenedAuthorization.Open(credential.CreateAuthorization(format).ToString());
            opened.User.ShouldBe("ada");
            opened.Kind.ShouldBe(kind);
            opened.AsksForMutualAuthentication.ShouldBeFalse();
            opened.Authenticator.Client.ToString().ShouldBe("ada");

            var bytes = new ArrayBufferWriter<byte>();
            credential.WriteAuthorization(bytes, format);
            OpenedAuthorization.Open(Encoding.ASCII.GetString(bytes.WrittenSpan)).User.ShouldBe("ada");
        }
    }

    [Fact]
    public void No_two_values_carry_the_same_time()
    {
        var credential = new DelegatedCredential(FakeTickets.For("ada"), _templates, MutualAuthentication.Off);
        var times = Enumerable.Range(0, 200)
            .Select(_ => OpenedAuthorization.Open(credential.CreateAuthorization(TokenFormat.Spnego).ToString()).Authenticator)
            .Select(authenticator => (authenticator.Time, authenticator.Microseconds));
        times.ShouldBeUnique();
    }

    [Fact]
    public void A_binding_enters_the_checksum_and_another_binding_gives_another_one()
    {
        var credential = new DelegatedCredential(FakeTickets.For("ada"), _templates, MutualAuthentication.Off);
        byte[] first = [.. "tls-server-end-point:"u8, 1], second = [.. "tls-server-end-point:"u8, 2];
        foreach (var binding in (byte[][])[first, second, first, second])
        {
            var expected = new byte[16];
            GssChecksum.Bind(binding, expected);
            OpenedAuthorization.Open(credential.CreateAuthorization(TokenFormat.Kerberos, binding).ToString()).BindingHash.ToArray()
                .ShouldBe(expected);
        }
        OpenedAuthorization.Open(credential.CreateAuthorization(TokenFormat.Kerberos).ToString()).BindingHash.ToArray()
            .ShouldBe(new byte[16]);
    }

    [Theory]
    [InlineData(MutualAuthentication.Optional)]
    [InlineData(MutualAuthentication.Required)]
    public void Mutual_authentication_is_requested_in_the_token(MutualAuthentication mutual) =>
        OpenedAuthorization.Open(
            new DelegatedCredential(FakeTickets.For("ada"), _templates, mutual).CreateAuthorization(TokenFormat.Kerberos).ToString())
            .AsksForMutualAuthentication.ShouldBeTrue();

    [Fact]
    public void A_default_credential_throws_when_it_is_used()
    {
        Should.Throw<InvalidOperationException>(() => default(DelegatedCredential).Ticket);
        Should.Throw<InvalidOperationException>(() => default(DelegatedCredential).CreateAuthorization(TokenFormat.Kerberos));
    }

    [Fact]
    public void An_expired_ticket_creates_no_value()
    {
        var credential = new DelegatedCredential(
            FakeTickets.For("ada", life: TimeSpan.FromSeconds(-1)), _templates, MutualAuthentication.Off);
        Should.Throw<InvalidOperationException>(() => credential.CreateAuthorization(TokenFormat.Kerberos));
    }

    [Fact]
    public void A_template_is_kept_from_the_second_use_on()
    {
        var ticket = FakeTickets.For("ada");
        var kind = new AuthorizationKind(TokenFormat.Spnego, MutualAuthentication: false, default);
        var first = Get(_templates, ticket, kind);
        var second = Get(_templates, ticket, kind);
        second.ShouldNotBeSameAs(first);
        Get(_templates, ticket, kind).ShouldBeSameAs(second);
        Get(_templates, ticket, kind with { MutualAuthentication = true }).ShouldNotBeSameAs(second);
        Get(_templates, FakeTickets.For("ada"), kind).ShouldNotBeSameAs(second);
    }

    [Fact]
    public void From_the_third_value_on_writing_allocates_nothing()
    {
        var credential = new DelegatedCredential(FakeTickets.For("ada", 4000), _templates, MutualAuthentication.Off);
        var output = new ArrayBufferWriter<byte>(1 << 14);
        for (var round = 0; round < 50; round++)
            Write();

        Allocations.Measure(calls: 50, Write).ShouldBe(0);

        void Write()
        {
            output.ResetWrittenCount();
            credential.WriteAuthorization(output, TokenFormat.Spnego);
        }
    }

    [Fact]
    public void Templates_stay_below_the_limit_and_those_in_use_are_evicted_last()
    {
        var kind = new AuthorizationKind(TokenFormat.Kerberos, MutualAuthentication: false, default);
        var size = new AuthorizationTemplate(FakeTickets.For("user", 1000), kind).Size;
        var templates = new AuthorizationTemplateCache(maxBytes: size * 4);
        var hot = FakeTickets.For("user", 1000);
        Get(templates, hot, kind);
        var kept = Get(templates, hot, kind);

        var others = Enumerable.Range(0, 20).Select(_ => FakeTickets.For("user", 1000)).ToList();
        foreach (var other in others)
        {
            Get(templates, other, kind);
            Get(templates, other, kind);
            Get(templates, hot, kind).ShouldBeSameAs(kept);
        }
        templates.Bytes.ShouldBeLessThanOrEqualTo(size * 4);
    }

    [Fact]
    public void At_the_limit_the_oldest_template_that_is_not_used_is_evicted()
    {
        var kind = new AuthorizationKind(TokenFormat.Kerberos, MutualAuthentication: false, default);
        var size = new AuthorizationTemplate(FakeTickets.For("user", 1000), kind).Size;
        var templates = new AuthorizationTemplateCache(maxBytes: size * 3);
        var tickets = Enumerable.Range(0, 7).Select(_ => FakeTickets.For("user", 1000)).ToList();
        var kept = new List<AuthorizationTemplate>();
        foreach (var ticket in tickets)
        {
            Get(templates, ticket, kind);
            kept.Add(Get(templates, ticket, kind));
        }

        // The newest first: an evicted one is kept again when it is asked for.
        for (var number = tickets.Count - 1; number >= 0; number--)
            ReferenceEquals(Get(templates, tickets[number], kind), kept[number]).ShouldBe(number >= 4, $"ticket {number}");
    }

    [Fact]
    public void A_smaller_limit_takes_effect_with_the_next_template()
    {
        var kind = new AuthorizationKind(TokenFormat.Kerberos, MutualAuthentication: false, default);
        var tickets = Enumerable.Range(0, 10).Select(_ => FakeTickets.For("user", 1000)).ToList();
        foreach (var ticket in tickets)
            UseTwice(ticket);
        var size = _templates.Bytes / tickets.Count;
        _templates.Count.ShouldBe(10);

        _templates.SetMaxBytes(size * 3);
        _templates.Count.ShouldBe(10);
        UseTwice(FakeTickets.For("user", 1000));

        _templates.Count.ShouldBe(3);
        _templates.Bytes.ShouldBe(size * 3);

        void UseTwice(ServiceTicket ticket)
        {
            Get(_templates, ticket, kind);
            Get(_templates, ticket, kind);
        }
    }

    [Fact]
    public void Templates_of_collected_tickets_are_no_longer_counted()
    {
        UseHundredAndForget();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();

        var used = UseHundred();

        _templates.Count.ShouldBe(100);
        _templates.Bytes.ShouldBe(used.Sum(ticket =>
            new AuthorizationTemplate(ticket, new AuthorizationKind(TokenFormat.Spnego, MutualAuthentication: false, default)).Size));

        [MethodImpl(MethodImplOptions.NoInlining)]
        void UseHundredAndForget()
        {
            var forgotten = UseHundred();
            _templates.Count.ShouldBe(100);
            GC.KeepAlive(forgotten);
        }

        List<ServiceTicket> UseHundred()
        {
            var tickets = Enumerable.Range(0, 100).Select(_ => FakeTickets.For("ada")).ToList();
            foreach (var ticket in tickets.Concat(tickets))
                new DelegatedCredential(ticket, _templates, MutualAuthentication.Off).CreateAuthorization(TokenFormat.Spnego);
            return tickets;
        }
    }

    [Fact]
    public void A_template_takes_four_thirds_of_its_ticket()
    {
        var ticket = FakeTickets.For("ada", 12_000);
        var template = new AuthorizationTemplate(ticket, new AuthorizationKind(TokenFormat.Kerberos, MutualAuthentication: false, default));
        template.Size.ShouldBeInRange(ticket.Size * 4 / 3, (ticket.Size * 4 / 3) + 300);
    }

    [Fact]
    public void A_kept_template_does_not_keep_its_ticket()
    {
        var ticket = UseAndForget(_templates);
        for (var round = 0; round < 10 && ticket.IsAlive; round++)
            GC.Collect();
        ticket.IsAlive.ShouldBeFalse();
        GC.KeepAlive(_templates);
    }

    private static AuthorizationTemplate Get(AuthorizationTemplateCache templates, ServiceTicket ticket, AuthorizationKind kind) =>
        templates.GetTemplates(ticket).Get(kind);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference UseAndForget(AuthorizationTemplateCache templates)
    {
        var ticket = FakeTickets.For("ada");
        var credential = new DelegatedCredential(ticket, templates, MutualAuthentication.Off);
        for (var round = 0; round < 3; round++)
            credential.CreateAuthorization(TokenFormat.Spnego);
        return new WeakReference(ticket);
    }
}
