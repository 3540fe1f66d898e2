using System.Formats.Asn1;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Testing.Accepting;
using KcdDelegation.Testing.Accounts;
using KcdDelegation.Testing.Errors;
using KcdDelegation.Testing.Exchanges;

namespace KcdDelegation.Testing;

/// <summary>Checks the value of an <c>Authorization</c> header with a service's key, as a web server does (RFC 4559, RFC 4120 §3.2.3): frame,
/// ticket, authenticator, clock, replay, channel binding. Thread-safe.</summary>
public sealed class TestAcceptor
{
    private readonly TestAcceptorOptions _options;
    private readonly ServicePrincipalName _service;
    private readonly RealmState _realm;
    private readonly ApRequestOpener _opener;

    /// <summary>Takes the service's keys from its realm, old versions and later ones included.</summary>
    /// <param name="realm">Has the service.</param>
    /// <param name="servicePrincipalName">Such as HTTP/app; tickets for other names of the same account are accepted too.</param>
    /// <param name="options">Null: all defaults.</param>
    /// <exception cref="ArgumentException">The realm has no such service.</exception>
    public TestAcceptor(TestRealm realm, string servicePrincipalName, TestAcceptorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(realm);
        _options = options ?? new TestAcceptorOptions();
        _service = ServicePrincipalName.Parse(servicePrincipalName);
        _realm = realm.State;
        _opener = new ApRequestOpener(_realm, _realm.Accounts.Get(servicePrincipalName));
    }

    /// <summary>Who sends the value.</summary>
    /// <param name="authorization"><c>Negotiate</c> or <c>Kerberos</c>, a space, base64.</param>
    /// <param name="channelBinding">Application data of the channel ("tls-server-end-point:" and the hash); empty: it has none.</param>
    /// <exception cref="KerberosException">Refused, with the code that a server would send (<see cref="KerberosExchange.Accept"/>).</exception>
    public AcceptedIdentity Accept(string authorization, ReadOnlyMemory<byte> channelBinding = default)
    {
        try
        {
            return Accept(ReadScheme(authorization), channelBinding);
        }
        catch (KdcRefusalException refusal)
        {
            throw Refused(refusal.Code, "the token was refused", refusal);
        }
        catch (Exception error) when (error is FormatException or AsnContentException or KerberosException)
        {
            throw Refused(KerberosErrorCode.Generic, error.Message, error);
        }
    }

    private static (string Scheme, byte[] Token) ReadScheme(string authorization)
    {
        ArgumentNullException.ThrowIfNull(authorization);
        var parts = authorization.Split(' ', 2);
        return parts is [var scheme, var token] && (scheme.Equals("Negotiate", StringComparison.OrdinalIgnoreCase) || scheme.Equals("Kerberos", StringComparison.OrdinalIgnoreCase))
            ? (scheme, Convert.FromBase64String(token))
            : throw new FormatException("Not the scheme Negotiate or Kerberos with a token.");
    }

    private AcceptedIdentity Accept((string Scheme, byte[] Token) header, ReadOnlyMemory<byte> channelBinding)
    {
        var spnego = SpnegoFrame.Read(header.Token);
        var format = spnego is null ? TestTokenFormats.Kerberos : TestTokenFormats.Spnego;
        if (!_options.Formats.HasFlag(format))
            throw new FormatException($"The token is framed as {format}; {_options.Formats} is accepted.");
        var (type, message) = GssKerberosToken.Unwrap(spnego?.Token ?? header.Token);
        if (type != GssKerberosToken.ApRequestToken)
            throw new FormatException($"The token is of type {type:X4}, not an AP-REQ.");

        var opened = _opener.Open(message);
        var isBound = ChannelBindingCheck.Verify(opened.Authenticator, channelBinding.Span, _options.ChannelBinding);
        var proof = opened.WantsMutualAuthentication ? Prove(opened) : null;
        var reply = spnego is { } frame ? SpnegoFrame.AcceptCompleted(frame.Mechanism, proof) : proof;
        var client = opened.Ticket.Client;
        return new AcceptedIdentity
        {
            User = client.Name.ToPrincipal(client.Realm),
            SamAccountName = opened.Ticket.Pac?.SamName,
            UserPrincipalName = opened.Ticket.Pac?.UserPrincipalName,
            Sid = opened.Ticket.Pac is { } pac ? SecurityIdentifier.FromBytes(pac.Sid.Span).Text : null,
            Flags = (TicketFlags)opened.Ticket.Part.Flags,
            Format = format,
            WantsMutualAuthentication = opened.WantsMutualAuthentication,
            IsChannelBound = isBound,
            Reply = reply is null ? null : $"{header.Scheme} {Convert.ToBase64String(reply)}",
        };
    }

    /// <summary>RFC 4120 §3.2.4: the AP-REP echoes the authenticator's time under the ticket's session key.</summary>
    private byte[]? Prove(OpenedRequest opened)
    {
        if (_options.MutualReply == TestMutualReply.None)
            return null;
        var sessionKey = opened.Ticket.Part.Key;
        var key = _options.MutualReply == TestMutualReply.Forged ? KerberosKey.CreateRandom(sessionKey.Type) : sessionKey;
        var time = opened.Authenticator.Time - (_options.MutualReply == TestMutualReply.Stale ? TimeSpan.FromSeconds(1) : TimeSpan.Zero);
        var part = new EncApReplyPart(time, opened.Authenticator.Microseconds).Encode();
        return GssKerberosToken.Wrap(GssKerberosToken.ApReplyToken, new ApReply(EncryptedData.Encrypt(key, KeyUsage.ApReply, part)).Encode());
    }

    private KerberosException Refused(KerberosErrorCode code, string detail, Exception cause) => new(new KerberosFailure
    {
        Code = code, Exchange = KerberosExchange.Accept, Reason = KerberosFailureReason.TokenRejected, Realm = _realm.Name, Service = _service, Detail = detail,
    }, cause);
}
