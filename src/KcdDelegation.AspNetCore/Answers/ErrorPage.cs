using Microsoft.AspNetCore.Http;

namespace KcdDelegation.AspNetCore.Answers;

/// <summary>The built-in error page.</summary>
internal sealed class ErrorPage : IKcdErrorPage
{
    public Task WriteAsync(HttpContext context, KcdErrorAnswer answer) =>
        PageTemplate.WriteAsync(context, Render(answer, canRetry: HttpMethods.IsGet(context.Request.Method)));

    /// <summary>Returns the page. Every value passes the HTML encoder.</summary>
    internal static string Render(KcdErrorAnswer answer, bool canRetry)
    {
        // An empty reference is the address of this page, which the page therefore does not contain.
        var retry = canRetry && answer.RetryAfter is not null ? $"\n{PageTemplate.RenderLink("Try again", address: "")}" : "";
        var content = $"""
            <p>{PageTemplate.Encode(answer.Explanation)}</p>
            <h2>What you can do</h2>
            <p>{PageTemplate.Encode(answer.Advice)}</p>{retry}
            {PageTemplate.RenderContact(answer.Contact, answer.ContactAddress)}
            """;
        return PageTemplate.Render(answer.Title, content, answer.ActivityId, answer.Time, answer.StatusCode);
    }
}
