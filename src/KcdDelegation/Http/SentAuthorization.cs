using KcdDelegation.Diagnosis;
using KcdDelegation.Headers;
using KcdDelegation.Kerberos;

namespace KcdDelegation.Http;

/// <summary>The <c>Authorization</c> value of one sending: put on the request at the last moment, since it is bound to the connection's
/// certificate, and kept to verify the reply. Made anew for each sending: no token goes out twice, which <see cref="GoOut"/> sees to.</summary>
internal sealed class SentAuthorization(DelegatedCredential credential, TokenFormat format)
{
    private const string OptionsKey = "KcdDelegation.SentAuthorization";
    private static readonly HttpRequestOptionsKey<SentAuthorization> s_key = new(OptionsKey);

    private AuthorizationTemplate? _template;
    private ApRequestState _state;
    private bool _isOut;

    public TokenFormat Format { get; } = format;

    /// <summary>Whether the ticket is bound to the TLS connection.</summary>
    public bool IsBound => _template is { Kind.ChannelBinding.IsEmpty: false };

    /// <summary>Bytes of the header's value.</summary>
    public int Length { get; private set; }

    /// <summary>Puts a new value on the request.</summary>
    /// <exception cref="KcdException">The ticket was purged or has expired meanwhile.</exception>
    public void PutOn(HttpRequestMessage request, ReadOnlyMemory<byte> channelBinding)
    {
        try
        {
            _template = credential.GetTemplate(Format, channelBinding);
            var value = _template.CreateValue(out _state);
            Length = value.Length;
            request.Headers.Remove("Authorization");
            request.Headers.TryAddWithoutValidation("Authorization", value);
            request.Options.Set(s_key, this);
            _isOut = false;
        }
        catch (InvalidOperationException error)
        {
            throw new KcdException(new DelegationFailure(
                KcdStage.Delegation,
                KcdEventId.NoTicket,
                $"The ticket of {credential.Ticket.User} for {credential.Ticket.Service} was dropped while the request waited. Nothing was sent.",
                "Send the request again.") { IsTransient = true }, error);
        }
    }

    /// <summary>The request's value is being written to a connection.</summary>
    /// <exception cref="TokenSpentException">It was written before: .NET sends a request without a body again by itself if a kept connection
    /// closes before the first byte of the answer, and the backend may have accepted the token (RFC 4120 §3.2.3: a replay).</exception>
    public static void GoOut(HttpRequestMessage request)
    {
        if (!request.Options.TryGetValue(s_key, out var sent))
            return;
        if (sent._isOut)
            throw new TokenSpentException();
        sent._isOut = true;
    }

    /// <summary>Handlers outside of this one log requests and send them again.</summary>
    public static void TakeOff(HttpRequestMessage request)
    {
        request.Headers.Remove("Authorization");
        ((IDictionary<string, object?>)request.Options).Remove(OptionsKey);
    }

    /// <summary>Null if the token is the answer to what was sent.</summary>
    public KerberosException? FindReplyFault(ReadOnlySpan<byte> token)
    {
        try
        {
            _state.VerifyReply(_template!.Request, token);
            return null;
        }
        catch (KerberosException error)
        {
            return error;
        }
    }
}

/// <summary>The connection broke after the token had been written; nothing was written to the next one.</summary>
internal sealed class TokenSpentException() : Exception("The backend closed the connection before it answered, and the token on the request is spent.");
