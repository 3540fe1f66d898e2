using System.Diagnostics;
using KcdDelegation.AspNetCore.Answers;
using KcdDelegation.Gateway.Settings;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Gateway.Pages;

/// <summary>An answer of the gateway itself: a page for browsers that navigate, and problem details for all other clients.</summary>
/// <param name="Status">The status code.</param>
/// <param name="Type">The last part of the identifier of the problem type.</param>
/// <param name="Title">The title, as text.</param>
/// <param name="Explanation">What happened, as text.</param>
/// <param name="Advice">What the user can do, as text.</param>
internal sealed record GatewayPage(int Status, string Type, string Title, string Explanation, string Advice)
{
    /// <summary>Gets a link of the page; null for none.</summary>
    public PageLink? Link { get; init; }

    /// <summary>Gets further facts for the administrator, such as the provider's error code. They are shown as text.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Facts { get; init; } = [];

    /// <summary>Writes the answer. Headers that were set before are kept.</summary>
    /// <param name="context">The request.</param>
    /// <param name="pages">The texts that the settings give.</param>
    /// <param name="timeProvider">The time source.</param>
    public Task WriteAsync(HttpContext context, PageOptions pages, TimeProvider timeProvider)
    {
        var (activity, now) = (GetActivityId(context), timeProvider.GetUtcNow());
        var response = context.Response;
        response.StatusCode = Status;
        response.Headers.CacheControl = "no-store";
        response.Headers.XContentTypeOptions = "nosniff";
        if (ClientPreference.WantsPage(context.Request))
            return PageTemplate.WriteAsync(context, Render(pages, activity, now));
        return ProblemAnswer.WriteAsync(context, new AspNetCore.KcdErrorAnswer
        {
            Kind = KcdErrorKind.Configuration,
            StatusCode = Status,
            Type = $"urn:kcddelegation:problem:{Type}",
            Title = Title,
            Explanation = Explanation,
            Advice = Advice,
            ActivityId = activity,
            Time = now,
            Contact = pages.Contact,
        });
    }

    /// <summary>Returns the identifier with which an administrator finds the request in the log.</summary>
    public static string GetActivityId(HttpContext context) => Activity.Current?.TraceId.ToString() ?? context.TraceIdentifier;

    private string Render(PageOptions pages, string activity, DateTimeOffset now)
    {
        var link = Link is null ? "" : $"\n{PageTemplate.RenderLink(Link.Text, Link.Address)}";
        var content = $"""
            <p>{PageTemplate.Encode(Explanation)}</p>
            <h2>What you can do</h2>
            <p>{PageTemplate.Encode(Advice)}</p>{link}
            """;
        if (Status < StatusCodes.Status400BadRequest)
            return PageTemplate.RenderNotice(Title, content);
        var contact = PageTemplate.RenderContact(pages.Contact, pages.ContactAddress);
        return PageTemplate.Render(Title, $"{content}\n{contact}", activity, now, Status, Facts);
    }
}

/// <summary>A link of a page.</summary>
/// <param name="Text">The text.</param>
/// <param name="Address">The address: a path of the gateway, or an https address of the settings.</param>
internal sealed record PageLink(string Text, string Address);
