namespace KcdDelegation.Http;

/// <summary>A request that was sent with a ticket, and its response.</summary>
internal readonly record struct TicketAttempt(HttpResponseMessage Response, BackendAnswer Answer, SentAuthorization Sent)
{
    /// <summary>Reads the backend's answer.</summary>
    public static TicketAttempt Read(HttpResponseMessage response, SentAuthorization sent) =>
        new(response, BackendAnswer.Read(response), sent);

    /// <summary>Whether the backend refused the same ticket in the other token format before.</summary>
    public bool FollowsOtherFormat { get; init; }

    /// <summary>Whether the response proves that the backend accepts the token format.</summary>
    /// <remarks>A 502 may come from an intermediary, a 400 or 431 precedes the check of the ticket, and a public page needs none. A proof
    /// is a success after the other format was refused, or the backend's statement that it has read the token.</remarks>
    public bool ProvesFormat =>
        (int)Answer.Status is >= 200 and < 400 && !Answer.IsRefusal && (FollowsOtherFormat || Answer.HasReadToken);
}
