using KcdDelegation.AspNetCore.Answers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace KcdDelegation.AspNetCore;

/// <summary>Extension methods of <see cref="HttpContext"/> for error answers and sign-out.</summary>
public static class KcdHttpContextExtensions
{
    /// <summary>Answers the request because of an error that the host has caught.</summary>
    /// <remarks>If the response has started, it is aborted.</remarks>
    /// <param name="context">The request.</param>
    /// <param name="error">The error. Nothing of it reaches the client except its kind and its trace identifier.</param>
    public static Task AnswerKcdErrorAsync(this HttpContext context, KcdException error)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(error);
        return context.RequestServices.GetRequiredService<AnswerWriter>().WriteErrorAsync(context, error);
    }

    /// <summary>Answers the request because a backend refused the ticket: 403, since the caller's own sign-in is valid.</summary>
    /// <param name="context">The request.</param>
    /// <param name="refusal">The result of <c>response.GetKcdRefusal()</c>.</param>
    public static Task AnswerKcdRefusalAsync(this HttpContext context, KcdException refusal)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(refusal);
        return context.RequestServices.GetRequiredService<AnswerWriter>().WriteRefusalAsync(context, refusal);
    }

    /// <summary>Ends the delegation of this request's user on this host: aborts the user's other delegated responses and removes the user's
    /// tickets.</summary>
    /// <remarks>Call it before <c>SignOutAsync</c> of the host's own scheme. See <see cref="KcdSessions.EndAsync"/>.</remarks>
    /// <param name="context">The request that signs the user out. It is not aborted.</param>
    /// <exception cref="KcdException">The user could not be mapped because of a transient failure, so tickets may remain.</exception>
    public static async Task EndKcdSessionAsync(this HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var sessions = context.RequestServices.GetRequiredService<KcdSessions>();
        // The removal of tickets is not cancelled with the request: a user who leaves has signed out too.
        await sessions.EndAsync(context.User, context, CancellationToken.None).ConfigureAwait(false);
    }
}
