using KcdDelegation.Diagnosis;
using KcdDelegation.Headers;
using KcdDelegation.Kerberos;

namespace KcdDelegation.Http;

/// <summary>The <c>Authorization</c> value of one attempt: created when the connection's certificate is known, and kept to verify the
/// reply.</summary>
/// <remarks>Each attempt needs a new value. <see cref="MarkWritten"/> ensures that no token is sent twice.</remarks>
internal sealed class SentAuthorization(DelegatedCredential credential, TokenFormat format)
{
    private const string OptionsKey = "KcdDelegation.SentAuthorization";
    private static readonly HttpRequestOptionsKey<SentAuthorization> s_key = new(OptionsKey);

    private AuthorizationTemplate? _template;
    private ApRequestState _state;
    private bool _isWritten;

    public TokenFormat Format { get; } = format;

    /// <summary>Whether the ticket is bound to the TLS connection.</summary>
    public bool IsBound => _template is { Kind.ChannelBinding.IsEmpty: false };

    /// <summary>The length of the header's value in bytes.</summary>
    public int Length { get; private set; }

    /// <summary>The ticket of the value.</summary>
    public ServiceTicket Ticket => credential.Ticket;

    /// <summary>Whether the ticket was in the cache before the request.</summary>
    public bool IsFromCache => credential.IsFromCache;

    /// <summary>Whether no value could be created, because the ticket was purged or evicted, or has expired, since it was looked
    /// up.</summary>
    public bool IsTicketUnusable { get; private set; }

    /// <summary>Creates a new value and sets it on the request.</summary>
    /// <exception cref="KcdException">The ticket was purged or has expired in the meantime.</exception>
    public void SetOn(HttpRequestMessage request, ReadOnlyMemory<byte> channelBinding)
    {
        using var span = credential.StartHeaderSpan();
        try
        {
            _template = credential.GetTemplate(Format, channelBinding);
            var value = _template.CreateValue(out _state);
            Length = value.Length;
            request.Headers.Remove("Authorization");
            request.Headers.TryAddWithoutValidation("Authorization", value);
            request.Options.Set(s_key, this);
            _isWritten = false;
        }
        catch (InvalidOperationException error)
        {
            IsTicketUnusable = true;
            span.FailDropped();
            throw new KcdException(new DelegationFailure(
                KcdStage.Delegation,
                KcdErrorKind.Unavailable, KcdEventId.NoTicket,
                $"The ticket of {credential.Ticket.User} for {credential.Ticket.Service} was dropped while the request waited. "
                    + "Nothing was sent.",
                "Send the request again.") { IsTransient = true }, error);
        }
    }

    /// <summary>Marks the request's value as written to a connection.</summary>
    /// <exception cref="TokenSpentException">The value was written before. .NET resends a request without a body if a kept connection
    /// closes before the first byte of the response, and the backend may have accepted the token (RFC 4120 §3.2.3: a replay).</exception>
    public static void MarkWritten(HttpRequestMessage request)
    {
        if (!request.Options.TryGetValue(s_key, out var sent))
            return;
        if (sent._isWritten)
            throw new TokenSpentException();
        sent._isWritten = true;
    }

    /// <summary>Removes the value from the request, because handlers outside of this one may log or resend the request.</summary>
    public static void RemoveFrom(HttpRequestMessage request)
    {
        request.Headers.Remove("Authorization");
        ((IDictionary<string, object?>)request.Options).Remove(OptionsKey);
    }

    /// <summary>Verifies a reply token. Returns null if it answers the value that was sent, otherwise the error.</summary>
    public KerberosException? FindReplyError(ReadOnlySpan<byte> token)
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

/// <summary>The exception for a connection that broke after the token was written. The request was not written to another
/// connection.</summary>
internal sealed class TokenSpentException()
    : Exception("The backend closed the connection before it answered, and the request's token must not be sent twice.");
